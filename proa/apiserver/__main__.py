"""`python -m proa.apiserver`."""

from proa.apiserver.main import main

main()
