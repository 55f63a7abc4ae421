"""Alarms: who learns of a verdict, when, and what a night sends beside: a heartbeat, and metrics to a Pushgateway."""
