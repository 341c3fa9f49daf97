<?php
$fields = ['Upgrade: websocket', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Version: 13', 'Connection: Upgrade'];
$got = '';
$ch = curl_init('http://example.com/path');
curl_setopt($ch, CURLOPT_HTTPHEADER, $fields);
curl_setopt($ch, CURLOPT_HEADER, true);
curl_setopt($ch, CURLOPT_TIMEOUT, 5);
curl_setopt($ch, CURLOPT_WRITEFUNCTION, function ($ch, $data) use (&$got) {
    $got .= $data;
    return strlen($data);
});
$response = curl_exec($ch);
echo json_encode(['exec' => $response, 'errno' => curl_errno($ch), 'code' => curl_getinfo($ch, CURLINFO_RESPONSE_CODE), 'got' => bin2hex($got)]);
