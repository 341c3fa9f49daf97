<?php
$ch = curl_init();
$escaped = curl_escape($ch, "a b~ü/?&=\0");
echo json_encode(['escaped' => $escaped, 'back' => bin2hex(curl_unescape($ch, $escaped)), 'broken' => curl_unescape($ch, '%zz%4'), 'error' => [curl_strerror(0), curl_strerror(7), curl_strerror(28), curl_strerror(52), curl_strerror(999), curl_multi_strerror(0), curl_multi_strerror(999)], 'version' => array_slice(array_keys(curl_version()), 0, 9)]);
