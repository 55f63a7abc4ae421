#!/bin/bash
bundle exec clockwork ./clock.rb
