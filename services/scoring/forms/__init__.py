"""The official forms of a year (项目绩效目标表, 项目支出绩效自评表, the import of the budget system), as files to hand in."""
