"""What every service stands on: settings, server life cycle, errors, deadlines, database, migrations, logs."""
