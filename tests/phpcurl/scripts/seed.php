<?php
// Initialize cURL session
$ch = curl_init('http://example.com/path');
// Set cURL options for protocol upgrade
curl_setopt($ch, CURLOPT_HTTPHEADER, array('Upgrade: websocket', 'Connection: Upgrade'));
curl_setopt($ch, CURLOPT_RETURNTRANSFER, true);
// Execute cURL session
$response = curl_exec($ch);
// Check for HTTP 101 Switching Protocols response
if (strpos($response, "HTTP/1.1 101 Switching Protocols") !== false) {
echo "Protocol successfully upgraded.\n";
} else {
echo "Failed to upgrade protocol.\n";
}
// Close cURL session
curl_close($ch);
?>
