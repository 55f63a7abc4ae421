#!/bin/bash
exec bundle exec clockwork ./clock.rb
