"""Official lists of the people who must be told: read from tables, checked row by row, taken in whole or not at all."""
