#!/bin/sh
printf 'Content-Type: text/plain\r\n\r\n'
echo "backend $VERSION, pod $HOSTNAME, asked by $REMOTE_ADDR"
