"""The pages of the console, one module for each subject: what a person asked, what is shown, what a form does."""
