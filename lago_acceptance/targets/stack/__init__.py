"""A stack on this machine: brought up, waited for, taken down."""
