"""Pure drawing: a trace becomes a sequence diagram or a table of its bytes, as text, SVG, HTML or Mermaid source."""
