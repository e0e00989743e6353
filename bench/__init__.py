"""Side-by-side measurements of Headgate: one module per measurement, one table at the end."""
