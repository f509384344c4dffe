#!/bin/sh
answer=$(timeout 5 wget -qO- http://backend:5000/) || answer="no answer from backend:5000"
printf 'Content-Type: text/plain\r\n\r\n'
echo "frontend $VERSION, pod $HOSTNAME -> $answer"
