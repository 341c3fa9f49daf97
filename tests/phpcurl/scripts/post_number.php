<?php
$ch = curl_init('http://example.com/path');
curl_setopt($ch, CURLOPT_RETURNTRANSFER, true);
curl_setopt($ch, CURLOPT_POSTFIELDS, 0);
$response = curl_exec($ch);
echo json_encode(['exec' => $response, 'errno' => curl_errno($ch), 'code' => curl_getinfo($ch, CURLINFO_RESPONSE_CODE)]);
curl_close($ch);
