"""What every Sebalai member needs and that knows no domain word."""
