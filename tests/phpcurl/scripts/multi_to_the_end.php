<?php
$fields = ['Upgrade: websocket', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Version: 13', 'Connection: Upgrade'];
$first = curl_init('http://example.com/one');
curl_setopt($first, CURLOPT_RETURNTRANSFER, true);
$mh = curl_multi_init();
$codes = [curl_multi_add_handle($mh, $first), curl_multi_add_handle($mh, $first), curl_multi_errno($mh)];
$codes[] = curl_exec($first);
$codes[] = curl_errno($first);
do {
    $status = curl_multi_exec($mh, $running);
    curl_multi_select($mh, 0.1);
} while ($running);
$ended = [];
while ($message = curl_multi_info_read($mh, $queued)) {
    $ended[] = [$message['msg'] === CURLMSG_DONE, $message['result'], $message['handle'] === $first, $queued];
}
$second = curl_init('http://example.com/two');
curl_setopt($second, CURLOPT_HTTPHEADER, $fields);
curl_setopt($second, CURLOPT_RETURNTRANSFER, true);
curl_setopt($second, CURLOPT_HEADER, true);
curl_setopt($second, CURLOPT_TIMEOUT_MS, 300);
$codes[] = curl_multi_add_handle($mh, $second);
do {
    $status = curl_multi_exec($mh, $running);
    curl_multi_select($mh, 0.1);
} while ($running);
while ($message = curl_multi_info_read($mh)) {
    $ended[] = [$message['msg'], $message['result'], curl_errno($message['handle'])];
}
$contents = [curl_multi_getcontent($first), curl_multi_getcontent($second)];
$codes[] = curl_multi_remove_handle($mh, $first);
$codes[] = curl_multi_remove_handle($mh, $first);
echo json_encode(['status' => $status, 'codes' => $codes, 'ended' => $ended, 'contents' => $contents]);
curl_multi_close($mh);
