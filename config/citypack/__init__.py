"""City packs: a folder of YAML files that describes a city, its networks and its series (docs/city-pack.md)."""
