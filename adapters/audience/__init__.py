"""Everyone who may be told, held in an index: a million people by area, point, hazard, level, role and channel.

`index.RosterAudience` is what the stages ask; it follows the log. `recipients_codec` is how a version of a roster is
kept beside the log, `who` answers who would be told before anything is sent. Nothing here knows a telephone number,
an address or a name.
"""
