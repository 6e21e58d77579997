// Checks an HS256 token in njs (0.7: no destructuring). KEY, ISSUER, AUDIENCE and PRODUCT are written in front of this file.
import crypto from 'crypto';

function decode(part) {
    return JSON.parse(Buffer.from(part, 'base64url'));
}

function verdict(authorization) {
    const parts = authorization.slice('Bearer '.length).split('.');
    if (!authorization.startsWith('Bearer ') || parts.length !== 3 || decode(parts[0]).alg !== 'HS256') {
        return '401';
    }
    const expected = crypto.createHmac('sha256', KEY).update(`${parts[0]}.${parts[1]}`).digest('base64url');
    const told = decode(parts[1]);
    if (parts[2] !== expected || !(told.exp > Date.now() / 1000) || told.iss !== ISSUER || told.aud !== AUDIENCE) {
        return '401';
    }
    return told.products.includes(PRODUCT) ? '200' : '403';
}

function check(request) {
    try {
        return verdict(request.headersIn.Authorization);
    } catch (_) {
        return '401';
    }
}

export default { check };
