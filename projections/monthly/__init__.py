"""The parts of the monthly report: one subject each, counted in one reading of the log.

`projections.monthly_report` puts them together. How a report looks does not belong here.
"""
