<?php
$ch = curl_init('http://example.com/one');
curl_setopt($ch, CURLOPT_RETURNTRANSFER, true);
$first = curl_exec($ch);
curl_close($ch);
$told = [curl_errno($ch), curl_error($ch), curl_getinfo($ch, CURLINFO_RESPONSE_CODE), curl_getinfo($ch, CURLINFO_CONTENT_TYPE)];
$second = curl_exec($ch);
echo json_encode(['first' => $first, 'second' => $second, 'told' => $told]);
