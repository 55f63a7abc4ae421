-- Those that Lago takes; a later version has one more.
SELECT updated_at AT TIME ZONE 'UTC' AS since, left(currency, 20) || ' of ' || who AS example
FROM (
  SELECT updated_at, currency, 'customer ' || left(external_id, 60) AS who
  FROM customers WHERE deleted_at IS NULL AND currency IS NOT NULL
  UNION ALL
  SELECT updated_at, amount_currency, 'plan ' || left(code, 60) FROM plans WHERE deleted_at IS NULL
  UNION ALL
  SELECT updated_at, default_currency, 'organization ' || left(name, 60) FROM organizations
) AS used
WHERE :values_known
  AND NOT EXISTS (
    SELECT FROM unnest('{
      AED, AFN, ALL, AMD, ANG, AOA, ARS, AUD, AWG, AZN, BAM, BBD, BDT, BGN, BHD, BIF, BMD, BND, BOB, BRL, BSD, BWP,
      BYN, BZD, CAD, CDF, CHF, CLF, CLP, CNY, COP, CRC, CVE, CZK, DJF, DKK, DOP, DZD, EGP, ETB, EUR, FJD, FKP, GBP,
      GEL, GHS, GIP, GMD, GNF, GTQ, GYD, HKD, HNL, HRK, HTG, HUF, IDR, ILS, INR, IRR, ISK, JMD, JOD, JPY, KES, KGS,
      KHR, KMF, KRW, KWD, KYD, KZT, LAK, LBP, LKR, LRD, LSL, MAD, MDL, MGA, MKD, MMK, MNT, MOP, MRO, MUR, MVR, MWK,
      MXN, MYR, MZN, NAD, NGN, NIO, NOK, NPR, NZD, PAB, PEN, PGK, PHP, PKR, PLN, PYG, QAR, RON, RSD, RUB, RWF, SAR,
      SBD, SCR, SEK, SGD, SHP, SLL, SOS, SRD, STD, SZL, THB, TJS, TOP, TRY, TTD, TWD, TZS, UAH, UGX, USD, UYU, UZS,
      VND, VUV, WST, XAF, XCD, XOF, XPF, YER, ZAR, ZMW
    }'::text[]) AS taken(code) WHERE code = currency)
