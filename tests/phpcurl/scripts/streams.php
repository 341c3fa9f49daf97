<?php
$head = fopen('php://memory', 'w+b');
$body = fopen('php://memory', 'w+b');
$ch = curl_init('http://example.com/path');
curl_setopt($ch, CURLOPT_WRITEHEADER, $head);
curl_setopt($ch, CURLOPT_FILE, $body);
$response = curl_exec($ch);
rewind($head);
rewind($body);
echo json_encode(['exec' => $response, 'head' => stream_get_contents($head), 'body' => stream_get_contents($body)]);
