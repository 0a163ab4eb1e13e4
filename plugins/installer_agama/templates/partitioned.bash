#!/bin/bash
{% include "report.bash" %}
provd_say progress "percent=20 text=partitioned"
exit 0
