<?php
$ch = curl_init('http://example.com/path');
curl_setopt($ch, CURLOPT_HEADER, true);
echo "before\n";
$response = curl_exec($ch);
echo json_encode(['exec' => $response, 'errno' => curl_errno($ch)]);
