UPDATE customers SET billing_entity_id = organization_id WHERE billing_entity_id IS NULL;
