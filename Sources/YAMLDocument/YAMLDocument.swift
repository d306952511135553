// YAMLDocument
