<?php
$fields = ['Upgrade: websocket', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Version: 13', 'Connection: Upgrade'];
$ch = curl_init('http://example.com/path');
curl_setopt($ch, CURLOPT_HTTPHEADER, $fields);
curl_setopt($ch, CURLOPT_RETURNTRANSFER, true);
curl_setopt($ch, CURLOPT_FOLLOWLOCATION, true);
curl_setopt($ch, CURLOPT_MAXREDIRS, 2);
curl_setopt($ch, CURLOPT_HEADER, true);
curl_setopt($ch, CURLINFO_HEADER_OUT, true);
$response = curl_exec($ch);
echo json_encode(['exec' => $response, 'errno' => curl_errno($ch), 'code' => curl_getinfo($ch, CURLINFO_RESPONSE_CODE), 'head' => curl_getinfo($ch, CURLINFO_HEADER_OUT)]);
curl_close($ch);
