"""The record forms of GB 25201 (巡查记录, 故障维修记录), filled in from events and written as sheets to print."""
