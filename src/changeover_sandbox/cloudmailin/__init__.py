"""The stand-in for CloudMailin: posts mails as it does and acts on the answer as a sending mail server would."""
