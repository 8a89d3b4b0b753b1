"""The monthly risk situation report as people read it: HTML and PDF, in Chinese and in English.

What it says is counted in `projections.monthly_report`; here it is put into words, tables and charts, once for both
forms. The same report gives the same bytes.
"""
