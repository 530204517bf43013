"""The way of the data: observe, reconcile, plan, commit, deliver, under one lease and one stop switch."""
