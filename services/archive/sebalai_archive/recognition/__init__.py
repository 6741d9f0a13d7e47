"""Text of scans (OCR): from a queue, in children that can be killed, never in a request."""
