<?php
$fields = ['Upgrade: websocket', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Version: 13', 'Connection: Upgrade'];
$ch = curl_init('http://example.com/one');
curl_setopt($ch, CURLOPT_HTTPHEADER, $fields);
curl_setopt($ch, CURLOPT_USERAGENT, 'lab/1');
curl_setopt($ch, CURLOPT_RETURNTRANSFER, true);
curl_reset($ch);
$empty = [curl_exec($ch), curl_errno($ch)];
curl_setopt($ch, CURLOPT_URL, 'http://example.com/two');
curl_setopt($ch, CURLOPT_RETURNTRANSFER, true);
$response = curl_exec($ch);
echo json_encode(['empty' => $empty, 'exec' => $response, 'errno' => curl_errno($ch), 'code' => curl_getinfo($ch, CURLINFO_RESPONSE_CODE)]);
