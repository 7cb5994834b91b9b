"""What Label Studio says and wants to hear."""
