<?php
$ch = curl_init('http://example.com/path');
curl_setopt($ch, CURLOPT_RETURNTRANSFER, true);
curl_setopt($ch, CURLOPT_HTTPHEADER, ['X-One: 1']);
curl_setopt($ch, CURLOPT_HTTPHEADER, ['Accept:', 'X-Empty;', 'X-Utf: ü']);
$response = curl_exec($ch);
echo json_encode(['exec' => $response, 'errno' => curl_errno($ch), 'code' => curl_getinfo($ch, CURLINFO_RESPONSE_CODE)]);
curl_close($ch);
