<?php
$fields = ['Upgrade: websocket', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Version: 13', 'Connection: Upgrade'];
$ch = curl_init('http://example.com/path');
curl_setopt($ch, CURLOPT_HTTPHEADER, $fields);
curl_setopt($ch, CURLOPT_RETURNTRANSFER, true);
curl_setopt($ch, CURLOPT_NOPROGRESS, false);
$lines = 0;
curl_setopt($ch, CURLOPT_HEADERFUNCTION, function ($ch, $line) use (&$lines) { $lines++; return strlen($line); });
curl_setopt($ch, CURLOPT_PROGRESSFUNCTION, function ($ch, $whole, $down, $all_up, $up) use (&$lines) { return $lines === 5; });
$response = curl_exec($ch);
echo json_encode(['exec' => $response, 'errno' => curl_errno($ch)]);
