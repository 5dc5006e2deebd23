"""Verifying and identifying: learn to recognise again, enrol a few examples, refuse strangers."""
