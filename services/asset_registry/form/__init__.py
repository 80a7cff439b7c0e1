"""The sheets by which assets come in and go out (docs/assets-form.md): what they look like, how they are read and written."""
