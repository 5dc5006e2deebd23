"""Forecasting: the next steps of one or several series, with intervals, beside the last value and the last season."""
