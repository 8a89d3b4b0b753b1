"""People subscribe, confirm, change and leave by themselves.

`desk.SubscriptionDesk` is what pages, the API and replies ask; `waiting` keeps requests until they are confirmed,
`checking` says what is wrong with one. How it is shown over HTTP does not belong here.
"""
