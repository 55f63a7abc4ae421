# frozen_string_literal: true

# Told to an analytics service by the real one; enqueued even where that is switched off.
class SegmentIdentifyJob < Standin::Job
  queue_as "default"

  def perform(_membership_id) = nil
end

class SegmentTrackJob < Standin::Job
  queue_as "default"

  def perform(_event) = nil
end
