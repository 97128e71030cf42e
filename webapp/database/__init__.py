"""Django's database back ends, where ours differ."""
