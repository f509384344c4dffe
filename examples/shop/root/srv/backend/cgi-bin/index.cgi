#!/bin/sh
printf 'Content-Type: text/plain\r\n\r\n'
client=${REMOTE_ADDR#[}
client=${client%]}
echo "backend $VERSION, pod $HOSTNAME, asked by ${client#::ffff:}"
