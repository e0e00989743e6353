"""A history for a city that has no feeds yet, made from the published profile of every series.

`Series.profile` is a JSON object. The same profile is the fallback forecast of a series without a history.
All times of day and months are local to the city; a month's figure stands for mid-month and months are joined by
straight lines. Unknown fields are errors (`forecasting.kernel.profiles.problems_of` lists all of them).

Fields of every kind
    kind             "cycle", "river", "storage", "eto", "rain", "solar" or "flat"
    noise            relative standard deviation of the noise, default 0.05
    persistence      0 to below 1, default 0.8: how much of the noise stays to the next hour (cycle, river) or to
                     the next day (storage, eto, solar, rain)
    growth_per_year  e.g. 0.01, default 0; the level is that of the beginning of `level_year` (default 2026)
                     (not for river and rain)

cycle    a load or a demand:  level × month × hour × growth × (1 + noise)
    level            the mean, in the unit of the series (required)
    month            12 factors round 1, January first, default all 1
    hour             24 factors round 1 for hours 0 to 23, default all 1
    weekend_hour     24 factors for Saturdays and Sundays, default `hour`
river    base flow with storms that rise in 6 hours and recede exponentially
    base_by_month    12 flows in the unit of the series (required)
    storm_rate_per_month  storms a month, 12 numbers or one, default 0
    storm_peak       mean rise of a storm at its peak, in the unit of the series
    recession_hours  in this time a storm falls to 37 %, default 48
storage  a slow walk round the monthly mean fill
    level            what a factor of 1 stands for, such as the capacity (required)
    month            12 fill shares (required); use persistence of about 0.97
eto      reference evapotranspiration:  level × month × (1 + daily noise); level and month required
rain     wet and dry days; every hour of a day carries the day's total, so the unit is mm a day
    wet_days_by_month  12 numbers of wet days in a month (required)
    mean_wet_day_mm    12 mean amounts of a wet day, or one (required)
solar    capacity factor:  level × month × hour × clouds (1 + daily noise)
    hour             24 capacity factors (required); level defaults to 1, `noise` of about 0.3 makes clouds
flat     level × month × hour without noise; level required

The limits of the series (minimum, maximum) cut every value.
"""

from __future__ import annotations
