"""The system to the outside: REST over the services, and the box-office page."""
