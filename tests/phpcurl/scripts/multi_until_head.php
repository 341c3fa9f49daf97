<?php
$fields = ['Upgrade: websocket', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Version: 13', 'Connection: Upgrade'];
$ch = curl_init('http://example.com/path');
curl_setopt($ch, CURLOPT_HTTPHEADER, $fields);
curl_setopt($ch, CURLOPT_RETURNTRANSFER, true);
curl_setopt($ch, CURLOPT_HEADER, true);
$mh = curl_multi_init();
curl_multi_add_handle($mh, $ch);
do {
    $status = curl_multi_exec($mh, $running);
    curl_multi_select($mh, 0.1);
    $content = curl_multi_getcontent($ch);
} while ($running && !str_ends_with($content, "\r\n\r\n"));
echo json_encode(['status' => $status, 'running' => $running, 'content' => $content, 'code' => curl_getinfo($ch, CURLINFO_RESPONSE_CODE), 'errno' => curl_errno($ch)]);
curl_multi_remove_handle($mh, $ch);
curl_multi_close($mh);
