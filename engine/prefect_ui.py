def publish(run, store): pass
