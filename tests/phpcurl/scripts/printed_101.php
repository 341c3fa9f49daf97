<?php
$fields = ['Upgrade: websocket', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Version: 13', 'Connection: Upgrade'];
$ch = curl_init('http://example.com/path');
curl_setopt($ch, CURLOPT_HTTPHEADER, $fields);
curl_setopt($ch, CURLOPT_HEADER, true);
curl_setopt($ch, CURLOPT_TIMEOUT_MS, 300);
$response = curl_exec($ch);
echo json_encode(['exec' => $response, 'errno' => curl_errno($ch)]);
