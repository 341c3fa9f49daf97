<?php
$ch = curl_init('http://example.com/one');
curl_setopt($ch, CURLOPT_RETURNTRANSFER, true);
$first = curl_exec($ch);
curl_setopt($ch, CURLOPT_URL, 'http://example.com/two');
$second = curl_exec($ch);
curl_setopt($ch, CURLOPT_POSTFIELDS, 'a=b');
$third = curl_exec($ch);
curl_setopt($ch, CURLOPT_HTTPGET, true);
$fourth = curl_exec($ch);
echo json_encode([$first, $second, $third, $fourth, 'connects' => curl_getinfo($ch, CURLINFO_NUM_CONNECTS)]);
