"""What every rule tree is: its steps, sheet, files, costs, failures and provenance."""
