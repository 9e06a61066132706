"""Ways out: to patients by e-mail, SMS, print spool or a folder; to record systems by webhook."""
