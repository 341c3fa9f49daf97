<?php
$ch = curl_init('http://example.com/path');
curl_setopt($ch, CURLOPT_RETURNTRANSFER, true);
curl_setopt($ch, CURLOPT_USERAGENT, 'lab/1');
curl_setopt($ch, CURLOPT_REFERER, 'http://example.com/');
curl_setopt($ch, CURLOPT_COOKIE, 'a=b');
curl_setopt($ch, CURLOPT_USERPWD, 'bob:secret');
curl_setopt($ch, CURLOPT_RANGE, '0-4');
$response = curl_exec($ch);
echo json_encode(['exec' => $response, 'errno' => curl_errno($ch), 'code' => curl_getinfo($ch, CURLINFO_RESPONSE_CODE)]);
curl_close($ch);
